"""Training views on tensors: new works out of the pool, clean scans, and simulated photos.

Works are squashed to squares and carry their aspect ratio, so that a batch is one tensor. All
pictures are float32 (n, 3, side, side), RGB in 0..1. Random numbers come from torch's default
generator of the device.
"""

import torch
from torch import Tensor
from torch.nn import functional

from engines.arthur_mini.geometry import Chance, View, camera, pixel_grid


def vary(works: Tensor, aspect: Tensor) -> tuple[Tensor, Tensor]:
    """Make new works of a batch: mirrored, recoloured, cut out, blended; and their aspects."""
    chance = Chance(torch.zeros(len(works), device=works.device))
    size = torch.where(chance.happens(0.5, 0.5), chance.uniform(0.55, 1), 1.0)
    offset = (1 - size)[:, None] * chance.uniform(-1, 1, 2)
    mirror = torch.where(chance.happens(0.5, 0.5), -1.0, 1.0)
    works = _window(works, torch.stack([size * mirror, size], 1), offset, works.shape[-1])
    chosen = chance.happens(0.35, 0.35).nonzero()[:, 0]
    order = torch.rand(len(chosen), 3, device=works.device).argsort(1)
    works[chosen] = works[chosen[:, None], order]
    chosen = chance.happens(0.05, 0.05).nonzero()[:, 0]
    works[chosen] = 1 - works[chosen]
    chosen = chance.happens(0.12, 0.12).nonzero()[:, 0]
    share = chance.uniform(0.2, 0.5, 1, 1, 1)[chosen]
    works[chosen] = torch.lerp(works[chosen], works[chosen - 1].flip(2), share)
    return works, (aspect * torch.exp(0.08 * chance.normal())).clamp(0.5, 2)


def scan(works: Tensor, side: int) -> Tensor:
    """Return the works as a catalogue shows them: nearly uncut, small shifts of tone."""
    chance = Chance(torch.zeros(len(works), device=works.device))
    if works.shape[-1] > 1.4 * side:
        works = functional.avg_pool2d(works, 3, 1, 1)
    scale, offset = chance.uniform(0.93, 1.02, 2), chance.uniform(-0.03, 0.03, 2)
    pictures = _window(works, scale, offset, side)
    gamma = torch.exp(0.12 * chance.normal(1, 1, 1))
    gain = torch.exp(0.05 * chance.normal(3, 1, 1))
    noise = 0.01 * torch.randn_like(pictures)
    return (pictures.clamp(1e-4, 1) ** gamma * gain + noise).clamp(0, 1)


def photograph(works: Tensor, aspect: Tensor, severity: Tensor, side: int) -> Tensor:
    """Return one simulated photo of each work.

    Args:
        works: The works, squashed to squares.
        aspect: float32 (n,), their width over height.
        severity: float32 (n,), 0 mild .. 1 hard.
        side: Side of the photos in pixels.
    """
    chance = Chance(severity)
    view = camera(chance, aspect, side)
    photos = _hang(works, view, chance)
    for effect in (_moire, _occlude, _occlude, _light, _shadow):
        photos = effect(photos, chance)
    photos = _reflect(photos, works, chance)
    for effect in (_glare, _glare, _develop, _defocus):
        photos = effect(photos, chance)
    noise = torch.randn_like(photos) * (0.005 + chance.up_to(0, 0.04)).view(-1, 1, 1, 1)
    return (photos + noise).clamp(0, 1)


def _window(works: Tensor, scale: Tensor, offset: Tensor, side: int) -> Tensor:
    """Resample the window of each work with half size ``scale`` around ``offset``, (n, 2) each."""
    matrix = torch.cat([torch.diag_embed(scale), offset[:, :, None]], 2)
    places = functional.affine_grid(matrix, [len(works), 3, side, side], align_corners=False)
    return functional.grid_sample(works, places, padding_mode="reflection", align_corners=False)


def _hang(works: Tensor, view: View, chance: Chance) -> Tensor:
    """Return the works in frames on walls, as the camera sees them."""
    side = view.places.shape[1]
    outside = ((view.places.abs() - 1) * view.half[:, None, None]).amax(-1)
    softness = 0.6 * side * view.span.view(-1, 1, 1)
    mat = chance.up_to(0.2, 0.2) * chance.happens(0.2, 0.3)
    frame = mat + chance.uniform(0.02, 0.18) * chance.happens(0.4, 0.7)
    within = [
        torch.sigmoid((edge.view(-1, 1, 1) - outside) * softness)[:, None]
        for edge in (torch.zeros_like(mat), mat, frame)
    ]
    profile = torch.sin(outside * chance.uniform(20, 90, 1, 1))[:, None]
    wood = chance.uniform(0, 0.9, 3, 1, 1) * (0.75 + 0.25 * profile)
    card = 0.85 + chance.uniform(0, 0.12, 3, 1, 1)
    halved = functional.avg_pool2d(works, 2)
    pyramid = [works, halved, functional.avg_pool2d(halved, 2)]
    photos = torch.lerp(_wall(pyramid[2], view, chance), wood, within[2])
    photos = torch.lerp(photos, card, within[1])
    return torch.lerp(photos, _sample(pyramid, view), within[0])


def _sample(pyramid: list[Tensor], view: View) -> Tensor:
    """Sample each work from the pyramid level nearest to its size in the photo."""
    side = view.places.shape[1]
    ratio = pyramid[0].shape[-1] / (side * view.span.clamp(0.05, 4))
    level = ratio.log2().clamp(0, len(pyramid) - 0.01).long()
    photos = torch.empty(len(level), 3, side, side, device=view.places.device)
    for number, works in enumerate(pyramid):
        chosen = (level == number).nonzero()[:, 0]
        photos[chosen] = functional.grid_sample(
            works[chosen], view.places[chosen], padding_mode="border", align_corners=False
        )
    return photos


def _wall(works: Tensor, view: View, chance: Chance) -> Tensor:
    """Return what is behind the works: plaster or blur, and neighbouring works on the plane."""
    side = view.places.shape[1]
    plaster = torch.rand(chance.count, 1, 12, 12, device=chance.device)
    plaster = functional.interpolate(plaster, (side, side), mode="bilinear")
    walls = chance.uniform(0.05, 0.95, 3, 1, 1) * (0.8 + 0.4 * plaster)
    blurred = functional.interpolate(functional.avg_pool2d(works, 4).roll(1, 0), (side, side), mode="bilinear")
    soft = chance.happens(0.3, 0.3).nonzero()[:, 0]
    walls[soft] = blurred[soft] * chance.uniform(0.4, 1, 1, 1, 1)[soft]
    chosen = chance.happens(0.2, 0.6).nonzero()[:, 0]
    places = view.places[chosen]
    beside = chance.uniform(0, 1)[chosen].view(-1, 1, 1, 1) < 0.6
    axis = torch.where(beside, places.new_tensor([1.0, 0]), places.new_tensor([0, 1.0]))
    gap = chance.uniform(2.3, 2.9)[chosen].view(-1, 1, 1, 1)
    places = places - axis * places.sign() * gap
    inside = (places.abs().amax(-1) < 1)[:, None]
    neighbours = functional.grid_sample(works.roll(2, 0)[chosen], places, padding_mode="border", align_corners=False)
    walls[chosen] = torch.where(inside, neighbours, walls[chosen])
    return walls


def _direction(chance: Chance, chosen: Tensor, side: int) -> Tensor:
    """Return, for the chosen pictures, each pixel's coordinate along a random direction."""
    columns, rows = pixel_grid(side, chance.device)
    angle = chance.uniform(0, 6.283, 1, 1)[chosen]
    return columns * angle.cos() + rows * angle.sin()


def _ellipse(chance: Chance, chosen: Tensor, side: int, largest: float) -> tuple[Tensor, Tensor]:
    """Return, for the chosen pictures, coordinates in which a random ellipse has radius 1."""
    columns, rows = pixel_grid(side, chance.device)
    centre, radii = (
        chance.uniform(-1, 1, 2, 1, 1)[chosen],
        chance.uniform(0.04, largest, 2, 1, 1)[chosen],
    )
    angle = chance.uniform(0, 3.142, 1, 1)[chosen]
    right, down = columns - centre[:, 0], rows - centre[:, 1]
    along = (right * angle.cos() + down * angle.sin()) / radii[:, 0]
    return along, (down * angle.cos() - right * angle.sin()) / radii[:, 1]


def _moire(photos: Tensor, chance: Chance) -> Tensor:
    """Beat of the pixel grids when a screen is photographed."""
    chosen = chance.happens(0.03, 0.2).nonzero()[:, 0]
    along = _direction(chance, chosen, photos.shape[-1]) * chance.uniform(2, 60, 1, 1)[chosen]
    phases = torch.arange(3, device=photos.device).view(1, 3, 1, 1) * chance.uniform(0, 2, 1, 1, 1)[chosen]
    depth = chance.uniform(0.03, 0.2, 1, 1, 1)[chosen]
    photos[chosen] *= 1 + depth * torch.sin(along[:, None] + phases)
    return photos


def _occlude(photos: Tensor, chance: Chance) -> Tensor:
    """Cover a part of the photo with a soft-edged ellipse or box."""
    chosen = chance.happens(0.03, 0.4).nonzero()[:, 0]
    along, across = _ellipse(chance, chosen, photos.shape[-1], 0.4)
    round_ = chance.uniform(0, 1, 1, 1)[chosen] < 0.5
    radius = torch.where(round_, torch.hypot(along, across), torch.maximum(along.abs(), across.abs()))
    cover = torch.sigmoid((1 - radius) * chance.uniform(8, 40, 1, 1)[chosen])[:, None]
    photos[chosen] = torch.lerp(photos[chosen], chance.uniform(0, 1, 3, 1, 1)[chosen], cover)
    return photos


def _light(photos: Tensor, chance: Chance) -> Tensor:
    """Light that falls off to one side and to the corners."""
    side = photos.shape[-1]
    columns, rows = pixel_grid(side, photos.device)
    everyone = torch.arange(chance.count, device=photos.device)
    gradient = 0.5 + 0.5 * _direction(chance, everyone, side)
    slope = 1 - chance.up_to(0.15, 0.65, 1, 1) * gradient
    vignette = 1 - chance.up_to(0.1, 0.45, 1, 1) * (columns**2 + rows**2)
    return photos * (slope * vignette)[:, None]


def _shadow(photos: Tensor, chance: Chance) -> Tensor:
    """The edge of a shadow, sharp or soft."""
    chosen = chance.happens(0.05, 0.4).nonzero()[:, 0]
    along = _direction(chance, chosen, photos.shape[-1]) - chance.uniform(-0.8, 0.8, 1, 1)[chosen]
    edge = torch.sigmoid(along * chance.uniform(4, 40, 1, 1)[chosen])
    photos[chosen] *= (1 - edge * chance.uniform(0.2, 0.6, 1, 1)[chosen])[:, None]
    return photos


def _reflect(photos: Tensor, works: Tensor, chance: Chance) -> Tensor:
    """The room mirrored in the glass; another work stands for the room."""
    chosen = chance.happens(0.05, 0.4).nonzero()[:, 0]
    room = functional.avg_pool2d(works.roll(3, 0)[chosen], 4)
    room = functional.interpolate(room, photos.shape[-2:], mode="bilinear")
    share = (0.05 + chance.up_to(0.05, 0.25, 1, 1, 1))[chosen]
    photos[chosen] = photos[chosen] * (1 - 0.6 * share) + room * share
    return photos


def _glare(photos: Tensor, chance: Chance) -> Tensor:
    """The bright spot of a lamp."""
    chosen = chance.happens(0.05, 0.45).nonzero()[:, 0]
    along, across = _ellipse(chance, chosen, photos.shape[-1], 0.3)
    spot = (torch.exp(-(along**2) - across**2) * 1.2).clamp(max=1)[:, None]
    spot = spot * chance.uniform(0.3, 1, 1, 1, 1)[chosen]
    photos[chosen] += (1.2 - photos[chosen] * 0.3) * spot
    return photos


def _develop(photos: Tensor, chance: Chance) -> Tensor:
    """What the camera makes of the colours: gamma, exposure, white balance, saturation."""
    gamma = torch.exp(chance.around(0.1, 0.5, 1, 1, 1))
    exposure = 0.08 + chance.around(0.2, 0.55, 1, 1, 1)
    gain = torch.exp(exposure + chance.around(0.05, 0.33, 3, 1, 1))
    photos = photos.clamp(1e-4, 1) ** gamma * gain
    grey = photos.mean(1, keepdim=True)
    saturation = 1 + chance.around(0.1, 0.6, 1, 1, 1)
    saturation[chance.happens(0, 0.04)] = 0
    return torch.lerp(grey.expand_as(photos), photos, saturation).clamp(0, 1.2)


def _defocus(photos: Tensor, chance: Chance) -> Tensor:
    """Blur by one oriented Gaussian a picture, which covers defocus and motion alike."""
    side = photos.shape[-1]
    reach = 2 * (side // 64)
    line = torch.arange(-reach, reach + 1, device=photos.device).float()
    rows, columns = torch.meshgrid(line, line, indexing="ij")
    unit = side / 128
    narrow = 0.25 + unit * chance.up_to(0, 1, 1, 1) * chance.happens(0.5, 0.8).view(-1, 1, 1)
    wide = narrow + unit * chance.up_to(0, 1.8, 1, 1) * chance.happens(0.3, 0.5).view(-1, 1, 1)
    angle = chance.uniform(0, 3.142, 1, 1)
    along = (columns * angle.cos() + rows * angle.sin()) / wide
    across = (rows * angle.cos() - columns * angle.sin()) / narrow
    kernels = torch.exp(-0.5 * (along**2 + across**2))
    kernels = kernels / kernels.sum((1, 2), keepdim=True)
    count = 3 * len(photos)
    stacked, weights = photos.reshape(1, count, side, side), kernels.repeat_interleave(3, 0)
    blurred = functional.conv2d(stacked, weights[:, None], padding=reach, groups=count)
    return blurred.view_as(photos)
