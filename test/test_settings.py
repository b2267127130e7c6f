"""YAML to dataclasses: what is taken, and which key or value is named when it is not."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest

from nl_robot import settings
from nl_robot.settings import from_mapping, load_settings, load_yaml, shared_dir, to_mapping


@dataclass(frozen=True)
class Wheel:
    """A part."""

    radius: float = 0.1
    spokes: int = 8


@dataclass(frozen=True)
class Cart:
    """A whole."""

    name: str
    wheel: Wheel = field(default_factory=Wheel)
    load: float | None = None
    sides: tuple[float, float] = (1.0, 2.0)
    wheels: tuple[Wheel, ...] = ()
    braked: bool = False


def test_a_mapping_becomes_nested_records():
    cart = from_mapping(Cart, {'name': 'a', 'wheel': {'radius': 2}, 'load': 3, 'sides': [4, 5.5],
                               'wheels': [{'spokes': 3}], 'braked': True})
    assert cart == Cart('a', Wheel(2.0, 8), 3.0, (4.0, 5.5), (Wheel(0.1, 3),), True)
    assert isinstance(cart.wheel.radius, float) and isinstance(cart.sides[0], float)
    assert from_mapping(Cart, {'name': 'a', 'load': None}).load is None


@pytest.mark.parametrize(('mapping', 'complaint'), [
    ({'name': 'a', 'wheell': {}}, "settings: unknown key 'wheell'; known keys: name, wheel, load"),
    ({'name': 'a', 'wheel': {'rim': 1}}, r"settings\.wheel: unknown key 'rim'"),
    ({}, "missing key 'name'"),
    ({'name': 3}, r'settings\.name: expected str, got 3'),
    ({'name': 'a', 'wheel': {'spokes': 2.5}}, r'settings\.wheel\.spokes: expected int, got 2\.5'),
    ({'name': 'a', 'wheel': {'spokes': True}}, 'expected int, got True'),
    ({'name': 'a', 'wheel': {'radius': True}}, 'expected float, got True'),
    ({'name': 'a', 'wheel': {'radius': '1'}}, "expected float, got '1'"),
    ({'name': 'a', 'wheel': 4}, r'settings\.wheel: expected a mapping for Wheel, got 4'),
    ({'name': 'a', 'sides': [1]}, r'settings\.sides: expected 2 values, got \[1\]'),
    ({'name': 'a', 'sides': 1}, r'settings\.sides: expected a list, got 1'),
    ({'name': 'a', 'load': 'much'}, r"settings\.load: expected float, got 'much'"),
    ({'name': 'a', 'braked': 1}, r'settings\.braked: expected bool, got 1'),
    ([1], r'expected a mapping for Cart, got \[1\]'),
])
def test_what_is_wrong_is_named(mapping, complaint):
    with pytest.raises(ValueError, match=complaint):
        from_mapping(Cart, mapping)


def test_a_file_and_its_name_in_the_complaint(tmp_path):
    path = tmp_path / 'wheel.yaml'
    path.write_text('radius: 0.5\n')
    assert load_settings(Wheel, path) == Wheel(0.5, 8)
    path.write_text('')
    assert load_settings(Wheel, path) == Wheel()
    path.write_text('hub: 1')
    with pytest.raises(ValueError, match="wheel.yaml: unknown key 'hub'"):
        load_settings(Wheel, path)
    path.write_text('a: [')
    with pytest.raises(ValueError, match='wheel.yaml is not valid YAML'):
        load_yaml(path)


def test_yaml_cannot_make_objects(tmp_path):
    path = tmp_path / 'bad.yaml'
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(ValueError, match='not valid YAML'):
        load_yaml(path)


def test_to_mapping_is_the_way_back():
    cart = Cart('a', Wheel(0.3, 5))
    assert to_mapping(cart)['wheel'] == {'radius': 0.3, 'spokes': 5}
    assert from_mapping(Cart, to_mapping(cart)) == cart


def test_models_are_found_in_an_installation(tmp_path, monkeypatch):
    shared = tmp_path / 'share' / 'nl_robot' / 'models'
    monkeypatch.setattr(settings, '__file__', str(tmp_path / 'lib' / 'nl_robot' / 'settings.py'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', '/nowhere')
    monkeypatch.setattr(settings.sys, 'prefix', str(tmp_path / 'other'))
    with pytest.raises(ValueError, match='models/ folder of nl_robot was not found'):
        shared_dir('models')
    shared.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere{os.pathsep}{tmp_path}')
    assert shared_dir('models') == shared
    monkeypatch.delenv('AMENT_PREFIX_PATH')
    monkeypatch.setattr(settings.sys, 'prefix', str(tmp_path))
    assert shared_dir('models') == shared
    source = tmp_path / 'lib' / 'models'
    source.mkdir(parents=True)
    assert shared_dir('models') == source
