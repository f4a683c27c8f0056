"""What the process that `programs` forks from has imported: no flags, no devices touched."""

from absl import app

from zoo import starting

with starting.quiet_start():
    import trainers.run.classification
    import trainers.run.detection  # noqa: F401

# TensorFlow would look for devices as soon as flags are parsed, before a program has it keep quiet.
app._init_callbacks.clear()
