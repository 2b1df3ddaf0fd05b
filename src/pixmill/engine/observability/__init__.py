"""What a run tells of itself: metrics, events and their files."""
