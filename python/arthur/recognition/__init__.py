"""What the Recognizer is made of: the parts it calls, the stages of an answer, the follower of the catalog."""
