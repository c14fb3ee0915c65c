"""Tests of the wire, named by requirement id where there is one."""
