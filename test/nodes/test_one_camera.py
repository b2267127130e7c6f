"""A robot with one camera turns on the spot to see all around before each decision."""

from __future__ import annotations

import math

from node_rig import Rig, wait_for


def test_it_looks_in_four_directions_then_decides(rig: Rig) -> None:
    rig.start_all('cameras:=["front"]', 'image_topics:=["camera/front/image_raw"]',
                  'camera_yaws:=[0.0]', 'headings:=[0.0, 90.0, 180.0, -90.0]')
    said = rig.say('drive 0 times')
    wait_for(lambda: any(e['state'] == 'succeeded' for e in rig.events(said)), 60.0, 'the end')
    quarters = [yaw / (math.pi / 2) for yaw in rig.robot.yaws]
    assert {round(q) % 4 for q in quarters if abs(q - round(q)) < 0.06} == {0, 1, 2, 3}
    assert abs(rig.robot.yaw % (2 * math.pi) - 1.5 * math.pi) < 0.15  # the last look: -90 degrees
    assert math.hypot(rig.robot.x, rig.robot.y) < 0.01
