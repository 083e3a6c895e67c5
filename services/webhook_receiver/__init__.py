"""HTTP in, hints out: answers fast, decides little, asks no store."""
