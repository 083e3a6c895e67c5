"""What the services have in common: words, contracts, ports and the engines behind them."""
