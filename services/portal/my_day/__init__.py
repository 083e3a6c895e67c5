"""An employee's day: agenda, month, where one works and attends from, and booking a room; content is read live and kept nowhere."""
