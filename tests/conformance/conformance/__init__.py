"""What the groups of checks are made of: client, notification receiver, fixtures, runner."""
