"""The embedded simulator: generated homes, a MuJoCo body and its senses."""
