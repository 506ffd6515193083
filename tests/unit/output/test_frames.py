import numpy as np

from chemomech.output.frames import FrameFile


def test_frames_come_back_in_their_order_as_often_as_wanted(tmp_path):
    values = [np.linspace(0, 1, 5) + number for number in range(3)]
    with FrameFile(tmp_path) as frames:
        assert list(frames) == []
        for number, array in enumerate(values):
            frames.append(0.5 * number, array)
            # Looked at in between, the next one still goes to the end.
            assert next(iter(frames)).time_s == 0.0
        assert frames.times == [0.0, 0.5, 1.0]
        for _ in range(2):
            for frame, time, expected in zip(frames, frames.times, values, strict=True):
                assert frame.time_s == time
                np.testing.assert_array_equal(frame.values, expected.astype(np.float32))


def test_nothing_is_seen_of_the_file(tmp_path):
    with FrameFile(tmp_path) as frames:
        frames.append(0.0, np.zeros(10))
        assert not list(tmp_path.iterdir())
