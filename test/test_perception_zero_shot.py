"""Zero-shot models of transformers as detectors: tiny ones of random weights, made here."""

import json

import numpy as np
import pytest

from nl_robot.perception.detectors import load_detector

transformers = pytest.importorskip('transformers')
torch = pytest.importorskip('torch')


def make_owlv2(directory):
    """A complete OWLv2 of about 10k random weights, saved as its authors save theirs."""
    words = ['!', '<|startoftext|>', '<|endoftext|>', *'abcdefghijklmnopqrstuvwxyz',
             *(f'{letter}</w>' for letter in 'abcdefghijklmnopqrstuvwxyz')]
    directory.mkdir()
    (directory / 'vocab.json').write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (directory / 'merges.txt').write_text('#version: 0.2\n')
    tokenizer = transformers.CLIPTokenizer(directory / 'vocab.json', directory / 'merges.txt',
                                           model_max_length=16)
    common = {'hidden_size': 16, 'intermediate_size': 16, 'num_hidden_layers': 1,
              'num_attention_heads': 2}
    config = transformers.Owlv2Config(
        text_config={**common, 'vocab_size': len(words),
                     'bos_token_id': 1, 'eos_token_id': 2},
        vision_config={**common, 'image_size': 64, 'patch_size': 16}, projection_dim=16)
    torch.manual_seed(0)
    transformers.Owlv2ForObjectDetection(config).save_pretrained(directory)
    transformers.Owlv2Processor(transformers.Owlv2ImageProcessor(size={'height': 64, 'width': 64}),
                                tokenizer).save_pretrained(directory)
    return directory


def make_grounding_dino(directory):
    """A complete Grounding DINO of random weights with a tiny Swin and a tiny BERT."""
    directory.mkdir()
    words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '.', 'sofa', 'lamp']
    (directory / 'vocab.txt').write_text('\n'.join(words))
    tokenizer = transformers.BertTokenizerFast(str(directory / 'vocab.txt'))
    backbone = transformers.SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1, 1],
                                       num_heads=[1, 1, 1], window_size=2,
                                       out_features=['stage2', 'stage3'])
    text = transformers.BertConfig(vocab_size=200, hidden_size=16, num_hidden_layers=1,
                                   num_attention_heads=1, intermediate_size=16)
    config = transformers.GroundingDinoConfig(
        backbone_config=backbone, text_config=text, num_queries=5, encoder_layers=1,
        encoder_ffn_dim=16, encoder_attention_heads=2, decoder_layers=1, decoder_ffn_dim=16,
        decoder_attention_heads=2, d_model=32, num_feature_levels=2, max_text_len=32)
    torch.manual_seed(0)
    transformers.GroundingDinoForObjectDetection(config).save_pretrained(directory)
    image = transformers.GroundingDinoImageProcessor(size={'shortest_edge': 32,
                                                           'longest_edge': 64})
    transformers.GroundingDinoProcessor(image, tokenizer).save_pretrained(directory)
    return directory


@pytest.mark.parametrize('make', [make_owlv2, make_grounding_dino])
def test_any_zero_shot_model_is_a_detector(make, tmp_path, monkeypatch):
    """Two frames give two lists, of the words asked for, in boxes inside the frame."""
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    directory = make(tmp_path / 'tiny')
    detector = load_detector(f'zero-shot:{directory}', labels=['sofa', 'lamp'], threshold=0.0)
    frames = np.random.default_rng(0).integers(0, 255, (2, 30, 40, 3), dtype=np.uint8)
    found = detector.detect(list(frames))
    assert len(found) == 2 and found[0]
    for detection in found[0] + found[1]:
        x0, y0, x1, y1 = detection.box
        assert detection.distance is None
        assert set(detection.label.split()) <= {'sofa', 'lamp', '.'}
        assert 0 <= x0 < x1 <= 40 and 0 <= y0 < y1 <= 30
    strict = load_detector(f'zero-shot:{directory}', labels=['sofa', 'lamp'], threshold=1.0)
    assert strict.detect([frames[0]]) == [[]]


def test_a_path_without_model_is_named(tmp_path):
    with pytest.raises(ValueError, match='nothing-here'):
        load_detector(f'zero-shot:{tmp_path}/nothing-here', labels=['sofa'])


def test_words_to_look_for_are_required(tmp_path, monkeypatch):
    directory = make_owlv2(tmp_path / 'tiny')
    with pytest.raises(ValueError, match='words to look for'):
        load_detector(f'zero-shot:{directory}', labels=[])


def test_unknown_detectors_are_named():
    with pytest.raises(ValueError, match="unknown detector 'yolo'"):
        load_detector('yolo')
