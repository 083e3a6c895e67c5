"""What people read, and the script that keeps the generated part of it true."""
