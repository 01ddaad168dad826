"""How OpenCLIP spells the names of a CLIP's weights, which Arthur otherwise asks for as Hugging Face does."""

from __future__ import annotations

from dataclasses import dataclass

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

OPEN_CLIP_MARK = "visual.conv1.weight"
"""A tensor that every ViT of OpenCLIP has, and none of Hugging Face."""


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
