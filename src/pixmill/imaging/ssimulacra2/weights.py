"""Turn the errors of all scales into the score, by the published weights."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

CHANNELS, SCALES, NORMS, MAPS = 3, 6, 2, 3
#: The order of the maps in the weights: structure, artifacts, detail lost.
STRUCTURE, ARTIFACTS, DETAIL = range(MAPS)

#: One row for each channel (X, Y, B) and scale: the 1-norms of the three maps, then their 4-norms.
WEIGHTS = (
    0.0, 0.0007376606707406586, 0.0, 0.0, 0.0007793481682867309, 0.0,
    0.0, 0.0004371155730107379, 0.0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
    0.0, 0.0016406437456599754, 0.0, 1.8422455520539298, 11.441172603757666, 0.0,
    0.0007989109436015163, 0.000176816438078653, 0.0, 1.8787594979546387, 10.94906990605142, 0.0,
    0.0007289346991508072, 0.9677937080626833, 0.0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
    0.0004550992113792063, 0.0, 0.0, 0.0013648766163243398, 0.0, 0.0,
    0.0, 0.0, 0.0, 7.466890328078848, 0.0, 17.445833984131262,
    0.0006235601634041466, 0.0, 0.0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
    225.20515300849274, 0.0, 0.0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
    176.39317598450694, 0.0, 0.0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
    0.0, 0.0, 0.0, 34.77906344483772, 44.835625328877896, 0.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    0.0, 0.0008680556573291698, 0.0, 0.0, 0.0, 0.0,
    0.0, 0.0005313191874358747, 0.0, 0.00016533814161379112, 0.0, 0.0,
    0.0, 0.0, 0.0, 0.0004179171803251336, 0.0017290828234722833, 0.0,
    0.0020827005846636437, 0.0, 0.0, 8.826982764996862, 23.19243343998926, 0.0,
    95.1080498811086, 0.9863978034400682, 0.9834382792465353, 0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
    0.0, 0.0, 0.0, 0.0005130064588990679, 0.0, 0.00010854057858411537,
)  # fmt: skip
#: The weights below this one sum up to 0.02, less than a tenth of the smallest of the others: what they weigh is not computed.
LEAST_WEIGHT = 0.01
SCALE, EXPONENT = 0.9562382616834844, 0.6276336467831387
LINEAR, SQUARE, CUBE = 2.326765642916932, -0.020884521182843837, 6.248496625763138e-05
BEST = 100.0


def weights(scales: int, least: float = LEAST_WEIGHT) -> Array:
    """Return the weights of an image with so many ``scales``, by channel, scale, norm and map; 0 for those below ``least``.

    A small image has fewer scales. Its weights are then the first ones of the table, as in the reference implementation, which
    reads them one after the other.
    """
    table = np.array(WEIGHTS[: CHANNELS * scales * NORMS * MAPS]).reshape(CHANNELS, scales, NORMS, MAPS)
    return np.where(table < least, 0.0, table)


def score(errors: Array) -> float:
    """Return the score for the ``errors``, weighted, of all channels, scales, norms and maps."""
    error = float(errors.sum()) * SCALE
    error = LINEAR * error + SQUARE * error**2 + CUBE * error**3
    return BEST - 10 * error**EXPONENT if error > 0 else BEST
