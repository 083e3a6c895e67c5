"""The record of administrators' acts."""
