"""Headless drawing: choosing EGL or OSMesa, and a small renderer for a world that stands still.

Only the robot moves in a home, and its cameras do not see it; so the scene is built once and a
picture needs a pose, not a simulation state.
"""

from __future__ import annotations

import importlib
import math
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.sim.rig import CameraMount

GL_FLOAT = 0x1406    # as OpenGL's headers number it
NO_RENDERER = ('MuJoCo cannot draw without a display here: neither EGL nor OSMesa works; '
               'run: sudo apt-get install -y libegl1 libgl1-mesa-dri libosmesa6')


class RendererUnavailable(RuntimeError):
    """Neither EGL nor OSMesa works; the sentence says what to install."""


def _works(backend: str) -> bool:
    """True when a fresh process can make an OpenGL context; a crash there harms nobody."""
    probe = ('import mujoco; c = mujoco.GLContext(8, 8); c.make_current(); '
             'mujoco.MjrContext(mujoco.MjModel.from_xml_string("<mujoco/>"), 100)')
    environment = {**os.environ, 'MUJOCO_GL': backend}
    environment.pop('PYOPENGL_PLATFORM', None)
    try:
        return subprocess.run([sys.executable, '-c', probe], env=environment, timeout=60,
                              capture_output=True, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def choose_renderer() -> str:
    """Set `MUJOCO_GL` when it is unset, to the first of EGL and OSMesa that works, and return it.

    Has to run before mujoco is imported; everything in this room imports mujoco through
    `load_mujoco`, which does that.

    :raises RendererUnavailable: one sentence with the apt line, when neither works
    """
    chosen = os.environ.get('MUJOCO_GL', '')
    if not chosen:
        chosen = next((name for name in ('egl', 'osmesa') if _works(name)), '')
        if not chosen:
            raise RendererUnavailable(NO_RENDERER)
        os.environ['MUJOCO_GL'] = chosen
    return chosen


def load_mujoco() -> ModuleType:
    """The mujoco module; where nothing can draw it still steps physics and casts rays."""
    if 'mujoco' not in sys.modules:
        # Mesa's software renderer: pictures this small only lose by being split among threads
        os.environ.setdefault('LP_NUM_THREADS', '0')
        try:
            choose_renderer()
        except RendererUnavailable:
            os.environ['MUJOCO_GL'] = 'disable'
    return importlib.import_module('mujoco')


def camera_axes(mount: CameraMount, yaw: float) -> NDArray[np.float64]:
    """(3, 3): rows forward, right and up of a camera on a robot heading `yaw`, in the map."""
    heading, pitch = yaw + mount.yaw, mount.pitch
    c, s, cp, sp = math.cos(heading), math.sin(heading), math.cos(pitch), math.sin(pitch)
    return np.array([[c * cp, s * cp, -sp], [s, -c, 0.0], [c * sp, s * sp, cp]])


class Renderer:
    """Draws a model from given places, all pictures of one look in one framebuffer.

    Any thread may draw: one at a time does, and lets go of the OpenGL context afterwards.
    """

    def __init__(self, model: Any, size: tuple[int, int], hidden_groups: Sequence[int],
                 supersample: int = 1, robot: tuple[float, float, float] = (0.0, 0.0, 0.0),
                 shadows: bool = False) -> None:
        """:param size: width and height of one picture, pixels
        :param hidden_groups: geom groups that are not drawn
        :param supersample: colour pictures are drawn this much finer and averaged
        :param robot: x, y and yaw of the robot, where it is drawn
        :param shadows: slow and pretty
        :raises RendererUnavailable: where nothing can draw
        """
        mujoco = load_mujoco()
        if os.environ.get('MUJOCO_GL') == 'disable':
            raise RendererUnavailable(NO_RENDERER)
        self._mujoco, self._size, self._fine = mujoco, size, supersample
        model.light_castshadow[0] = shadows
        model.vis.quality.shadowsize = 4096 if shadows else 0
        self._lock, self._context = threading.Lock(), mujoco.GLContext(size[0], size[1])
        with current(self._context):
            self._drawer = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._drawer)
        self._finalizer = weakref.finalize(self, _free, self._drawer, self._context)
        self._buffer_size = (0, 0)
        self._scene = self._build_scene(model, hidden_groups, robot, shadows)
        self._geom_of_id = np.full(self._scene.ngeom + 1, -1, np.int32)
        for geom in self._scene.geoms[:self._scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM.value and geom.segid >= 0:
                self._geom_of_id[geom.segid + 1] = geom.objid

    def _build_scene(self, model: Any, hidden_groups: Sequence[int],
                     robot: tuple[float, float, float], shadows: bool) -> Any:
        mujoco = self._mujoco
        scene = mujoco.MjvScene(model, maxgeom=model.ngeom + 100)
        data, option = mujoco.MjData(model), mujoco.MjvOption()
        option.geomgroup[:] = 1
        option.geomgroup[list(hidden_groups)] = 0
        option.sitegroup[:] = 0
        data.qpos[:3] = robot
        mujoco.mj_forward(model, data)
        mujoco.mjv_updateScene(model, data, option, None, mujoco.MjvCamera(),
                               mujoco.mjtCatBit.mjCAT_ALL.value, scene)
        for flag in (mujoco.mjtRndFlag.mjRND_REFLECTION, mujoco.mjtRndFlag.mjRND_HAZE):
            scene.flags[flag] = 0
        scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = int(shadows)
        return scene

    def draw(self, views: Sequence[tuple[CameraMount, Pose]],
             segment: bool = False) -> NDArray[np.uint8] | NDArray[np.int32]:
        """(views, H, W, 3) uint8 RGB, or with `segment` (views, H, W) int32 geom ids, -1: none."""
        fine = 1 if segment else self._fine
        width, height = self._size[0] * fine, self._size[1] * fine
        with self._lock, current(self._context):
            pixels = self._pixels(views, width, height, segment)
        stack = pixels[::-1].reshape(height, len(views), width, 3).transpose(1, 0, 2, 3)
        if segment:
            wide = stack.astype(np.int32)
            return self._geom_of_id[wide[..., 0] + 256 * wide[..., 1] + 65536 * wide[..., 2]]
        return _average(stack, fine)

    def _pixels(self, views: Sequence[tuple[CameraMount, Pose]], width: int, height: int,
                segment: bool) -> NDArray[np.uint8]:
        """(height, views * width, 3) uint8, rows from below: all views side by side."""
        mujoco, total = self._mujoco, width * len(views)
        if self._buffer_size[0] < total or self._buffer_size[1] < height:
            self._buffer_size = (max(self._buffer_size[0], total),
                                 max(self._buffer_size[1], height))
            mujoco.mjr_resizeOffscreen(*self._buffer_size, self._drawer)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = int(segment)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = int(segment)
        for index, (mount, pose) in enumerate(views):
            self._aim(mount, pose)
            mujoco.mjr_render(mujoco.MjrRect(index * width, 0, width, height), self._scene,
                              self._drawer)
        pixels = np.empty((height, total, 3), np.uint8)
        mujoco.mjr_readPixels(pixels, None, mujoco.MjrRect(0, 0, total, height), self._drawer)
        return pixels

    def _aim(self, mount: CameraMount, pose: Pose) -> None:
        """Put both eyes of the scene where the camera is."""
        forward, _, up = camera_axes(mount, pose.yaw)
        near, far = 0.04 if mount.height < 3 else 3.0, 120.0
        half = near * math.tan(mount.hfov / 2)
        for eye in self._scene.camera:
            eye.pos[:] = (pose.x, pose.y, mount.height)
            eye.forward[:], eye.up[:] = forward, up
            eye.frustum_center, eye.frustum_width = 0.0, half
            eye.frustum_top = half * mount.image_height / mount.width
            eye.frustum_bottom = -eye.frustum_top
            eye.frustum_near, eye.frustum_far = near, far
            eye.orthographic = 0

    def close(self) -> None:
        """Free the OpenGL context; a program that forgets it is tidied up after at its end."""
        self._finalizer()


@contextmanager
def current(context: Any) -> Iterator[None]:
    """Make an OpenGL context current for this thread, and give it back afterwards.

    MuJoCo 3, the last for Python 3.10, cannot give one back; what it draws with can.
    """
    if hasattr(context, 'as_current'):
        with context.as_current():
            yield
        return
    context.make_current()
    try:
        yield
    finally:
        if os.environ.get('MUJOCO_GL') == 'egl':
            importlib.import_module('OpenGL.EGL').eglReleaseThread()
        elif os.environ.get('MUJOCO_GL') == 'osmesa':
            importlib.import_module('OpenGL.osmesa').OSMesaMakeCurrent(
                None, None, GL_FLOAT, 0, 0)


def _free(drawer: Any, context: Any) -> None:
    """Free an OpenGL context and what was made in it."""
    with current(context):
        drawer.free()
    context.free()


def _average(stack: NDArray[np.uint8], fine: int) -> NDArray[np.uint8]:
    """(n, H * fine, W * fine, 3) to (n, H, W, 3) by the mean over squares."""
    if fine == 1:
        return np.ascontiguousarray(stack)
    n, height, width, _ = stack.shape
    squares = stack.reshape(n, height // fine, fine, width // fine, fine, 3)
    return squares.mean(axis=(2, 4), dtype=np.float32).astype(np.uint8)
