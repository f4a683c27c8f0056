"""What a localiser is worth: the class and the box of each picture's object (App. C)."""
