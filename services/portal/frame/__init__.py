"""What stands around every page and route: sessions, limits, headers, navigation, problem documents."""
