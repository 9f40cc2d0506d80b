"""Formulas as MathML, which browsers set by themselves."""

import re

from latex2mathml import converter

LIMITS = re.compile(r"\\(sum|prod|min|max)(?=[_^])")  # which TeX sets below and above in a formula on a line of its own


def mathml(tex, display):
    """One formula: TeX, bool (whether it stands on a line of its own) -> HTML. ValueError if it can't be set."""
    source = tex.replace(r"\arg", r"\operatorname{arg}")
    if display:
        source = LIMITS.sub(r"\\\1\\limits", source)
    try:
        made = converter.convert(source, display="block" if display else "inline")
    except Exception as error:
        raise ValueError(f"the formula {tex} can't be set: {error!r}") from error
    unknown = re.search(r"\\[a-zA-Z]*", made)
    if unknown:
        raise ValueError(f"the formula {tex} has a command that isn't known: {unknown[0]}")
    made = made.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    return re.sub(r"(?<=\d)</mn><mrow><mo>&#x0002C;</mo></mrow><mn>(?=\d)", ",", made)  # 3{,}072 is one number
