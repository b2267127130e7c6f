"""What `ros2 launch FILE name:=value ...` does, without ros2cli: python ros2_launch.py FILE ..."""

from __future__ import annotations

import sys

from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource


def main(path: str, *words: str) -> int:
    arguments = [tuple(word.split(':=', 1)) for word in words]
    service = LaunchService(noninteractive=True)  # hands SIGINT on, as where no terminal does
    service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
        AnyLaunchDescriptionSource(path), launch_arguments=arguments)]))
    return service.run()


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
