.DEFAULT_GOAL := help
PYTHON ?= python3

help: ## each task and its sentence
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
