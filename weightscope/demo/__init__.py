"""The small language model that ships with weightscope, and the scripts that made it.

`gpt-start.safetensors` is the untrained model, `gpt.safetensors` the trained one, `gpt-lora/` an
adapter of it. No module of this package is needed to measure them; `python -m
weightscope.demo.train OUT_DIR` makes them again.
"""
