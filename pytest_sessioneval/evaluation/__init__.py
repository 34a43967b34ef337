"""One evaluation, without pytest: what the plugin, the command line and the service call alike."""
