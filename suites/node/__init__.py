"""What the nodes themselves show to who may read them."""
