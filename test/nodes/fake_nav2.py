"""A `navigate_to_pose` server with the real types, as wilful as a test wants it.

python fake_nav2.py MODE, where MODE is one of
  obey            drives to 1.5 m from the goal and obeys cancels
  instant         succeeds at once
  slow            as obey, but answers a goal 0.3 s late
  stubborn        accepts cancels and goes on all the same, for ever
  reject          rejects every goal
  abort:CODE      accepts and aborts at once with that error code
It prints what happens with the moment of this machine's steady clock.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
import time

import rclpy
from geometry_msgs.msg import Twist
from nav2_msgs.action import NavigateToPose
from nav_msgs.msg import Odometry
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
from rclpy.signals import SignalHandlerOptions

PERIOD, NEAR, SPEED = 0.05, 1.5, 0.25


def say(what: str) -> None:
    print(f'{time.monotonic():.4f} {what}', flush=True)


class FakeNav2:
    def __init__(self, mode: str) -> None:
        self.mode, _, code = mode.partition(':')
        self.code = int(code or 0)
        self.ended = threading.Event()
        self.node = node = rclpy.create_node('bt_navigator')
        self.x = self.y = self.yaw = 0.0
        self.velocity = node.create_publisher(Twist, 'cmd_vel_nav2', 1)
        group = ReentrantCallbackGroup()
        node.create_subscription(Odometry, 'odom', self.on_odometry, 10, callback_group=group)
        self.server = ActionServer(
            node, NavigateToPose, 'navigate_to_pose', self.execute, callback_group=group,
            goal_callback=self.on_goal, cancel_callback=self.on_cancel)

    def on_odometry(self, message: Odometry) -> None:
        pose = message.pose.pose
        self.x, self.y = pose.position.x, pose.position.y
        self.yaw = 2.0 * math.atan2(pose.orientation.z, pose.orientation.w)

    def on_goal(self, request: NavigateToPose.Goal) -> GoalResponse:
        if self.mode == 'slow':
            time.sleep(0.3)
        say('rejected' if self.mode == 'reject' else 'accepted')
        return GoalResponse.REJECT if self.mode == 'reject' else GoalResponse.ACCEPT

    def on_cancel(self, handle: object) -> CancelResponse:
        say('cancel')
        return CancelResponse.ACCEPT

    def execute(self, handle: object) -> NavigateToPose.Result:
        place = handle.request.pose.pose.position
        while not self.ended.is_set():
            if self.mode == 'abort':
                handle.abort()
                say('aborted')
                return NavigateToPose.Result(error_code=self.code, error_msg='as scripted')
            if handle.is_cancel_requested and self.mode != 'stubborn':
                handle.canceled()
                say('canceled')
                return NavigateToPose.Result()
            bearing = math.atan2(place.y - self.y, place.x - self.x) - self.yaw
            distance = math.hypot(place.x - self.x, place.y - self.y)
            if self.mode == 'instant' or (distance < NEAR and self.mode != 'stubborn'):
                self.velocity.publish(Twist())
                handle.succeed()
                say('succeeded')
                return NavigateToPose.Result()
            turn = math.remainder(bearing, 2 * math.pi)
            message = Twist()
            message.linear.x = SPEED * max(0.0, math.cos(turn))
            message.angular.z = max(-0.8, min(0.8, 2.0 * turn))
            if self.mode == 'stubborn':
                message.linear.x, message.angular.z = SPEED, 0.0
            self.velocity.publish(message)
            handle.publish_feedback(NavigateToPose.Feedback(distance_remaining=distance))
            time.sleep(PERIOD)
        handle.abort()
        return NavigateToPose.Result()


def main(mode: str) -> None:
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    fake = FakeNav2(mode)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: fake.ended.set())
    executor = MultiThreadedExecutor(4)
    executor.add_node(fake.node)
    say('ready')
    seen = False
    while not fake.ended.is_set():
        executor.spin_once(timeout_sec=0.1)
        if not seen and fake.node.count_clients('navigate_to_pose/_action/get_result'):
            seen = True
            say('seen')     # by whoever drives
    time.sleep(2 * PERIOD)
    executor.shutdown(timeout_sec=1.0)
    fake.server.destroy()
    fake.node.destroy_node()
    rclpy.shutdown()


if __name__ == '__main__':
    main(sys.argv[1])
