"""Downloads that are more than one clip: untouched segments, and clips of many cameras, each as one ZIP."""
