"""What a trained network is worth: views, scores, figures, features and their pictures."""
