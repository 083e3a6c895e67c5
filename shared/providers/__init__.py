"""The two calendar systems, each as wire shapes, a pure parser and a client."""
