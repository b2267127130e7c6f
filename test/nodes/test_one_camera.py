"""A robot with one camera turns on the spot to see all around before each decision."""

from __future__ import annotations

import math

from node_rig import Rig, wait_for


def test_it_looks_in_four_directions_then_decides(rig: Rig) -> None:
    rig.start_all('cameras:=["front"]', 'image_topics:=["camera/front/image_raw"]',
                  'camera_yaws:=[0.0]', 'headings:=[0.0, 90.0, 180.0, -90.0]')
    said = rig.say('drive 0 times')
    turned: set[int] = set()

    def ended() -> bool:
        quarter = rig.robot.yaw / (math.pi / 2)
        if not rig.robot.moving and abs(quarter - round(quarter)) < 0.06:
            turned.add(round(quarter) % 4)
        return any(e['state'] == 'succeeded' for e in rig.events(said))

    wait_for(ended, 40.0, 'the decision')
    assert turned == {0, 1, 2, 3}
    assert math.hypot(rig.robot.x, rig.robot.y) < 0.01
