"""JSON whose numbers keep all their digits: an order may be sent back as it came (ACT-05)."""

from __future__ import annotations

from decimal import Decimal

import msgspec


decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Raises msgspec.DecodeError, or ArithmeticError for a number that no decimal can hold."""

encode = msgspec.json.Encoder(decimal_format="number").encode
