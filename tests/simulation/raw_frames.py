"""The raw frames of a simulated session, without files."""

from lightframe.simulation import build_camera, schedule


def raws(settings, kind):
    """Return the raw frames of one kind as float64."""
    shots = schedule(settings)
    camera = build_camera(settings, shots)
    return [camera.expose(shot).raw.astype(float) for shot in shots if shot.kind is kind]
