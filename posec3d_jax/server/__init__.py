"""`posec3d serve`: recognition over HTTP, and a page to try it on."""
