"""A series: every step of a training compared with the first and with the previous one."""
