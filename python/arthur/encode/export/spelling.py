"""How OpenCLIP and `timm` spell the names of weights, which Arthur otherwise asks for as Hugging Face does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

_PAIRS = (
    ("vision_model.embeddings.class_embedding", "visual.class_embedding"),
    ("vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"),
    ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"),
    ("vision_model.encoder.layers.", "visual.transformer.resblocks."),
    ("vision_model.pre_layrnorm.", "visual.ln_pre."),
    ("vision_model.post_layernorm.", "visual.ln_post."),
    ("visual_projection.weight", "visual.proj"),
    ("text_model.embeddings.token_embedding.", "token_embedding."),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.encoder.layers.", "transformer.resblocks."),
    ("text_model.final_layer_norm.", "ln_final."),
    ("text_projection.weight", "text_projection"),
    (".layer_norm1.", ".ln_1."),
    (".layer_norm2.", ".ln_2."),
    (".self_attn.out_proj.", ".attn.out_proj."),
    (".mlp.fc1.", ".mlp.c_fc."),
    (".mlp.fc2.", ".mlp.c_proj."),
)
_THIRDS = (".self_attn.q_proj.", ".self_attn.k_proj.", ".self_attn.v_proj.")
_TURNED = frozenset({"visual_projection.weight", "text_projection.weight"})

_OPEN_CLIP_MARK = "visual.conv1.weight"
"""A tensor that every ViT of OpenCLIP has, and none of Hugging Face."""
_OWN_TEXT_MARK = "text.token_embedding.weight"
"""A tensor of OpenCLIP's models whose text tower stands apart, such as MobileCLIP."""
_TIMM_MARK = "blocks.0.attn.qkv.weight"
"""A tensor of the ViTs of `timm`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor lies in a file.

    Attributes:
        name: the tensor's name there.
        third: which third of its rows is meant; None is all of them.
        turned: whether the file holds it transposed.
    """

    name: str
    third: int | None = None
    turned: bool = False


def hugging_face_place(name: str) -> Place:
    """Find a tensor where it is called what Arthur calls it."""
    return Place(name)


def open_clip_place(name: str) -> Place:
    """Find a tensor of Hugging Face's name in a file of OpenCLIP, which keeps query, key and value in one."""
    spelled = name
    for ours, theirs in _PAIRS:
        spelled = spelled.replace(ours, theirs)
    for third, part in enumerate(_THIRDS):
        if part in spelled:
            return Place(spelled.replace(part, ".attn.in_proj_"), third)
    return Place(spelled, turned=name in _TURNED)


def own_text_place(name: str) -> Place:
    """Find a tensor of the text tower where OpenCLIP keeps that tower apart."""
    place = open_clip_place(name)
    return Place(f"text.{place.name}", place.third, place.turned)


def timm_place(name: str) -> Place:
    """Find a tensor in a file of `timm`, which keeps query, key and value in one."""
    for third, part in enumerate((".attn.q.", ".attn.k.", ".attn.v.")):
        if part in name:
            return Place(name.replace(part, ".attn.qkv."), third)
    return Place(name)


Spelling: TypeAlias = Callable[[str], Place]


def spelling(names: frozenset[str]) -> Spelling:
    """Tell from the names in a file how it spells them."""
    marks = {_OPEN_CLIP_MARK: open_clip_place, _OWN_TEXT_MARK: own_text_place, _TIMM_MARK: timm_place}
    return next((place for mark, place in marks.items() if mark in names), hugging_face_place)
