"""Medicine: a chart, the signed knowledge and a day in; a decision out.

The law of this folder: the same chart, the same knowledge and the same day give the same decision. Nothing in here knows
HTTP, FHIR, the network, the clock or the environment, and only `library.py` opens files.
"""

__version__ = "0.1.0"
