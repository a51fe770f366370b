"""Shows a served database to people: pages drawn on the server, with the rows behind them."""
