"""One small module a command, named as the command is, and the table of them all: table.py."""
