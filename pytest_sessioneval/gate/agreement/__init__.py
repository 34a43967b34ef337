"""How well a judge agrees with people, with outcomes and with itself: plain numbers, no I/O.

Where a figure is not defined (nothing varies, one side is empty) it is None,
never a flattering 1 and never NaN.
"""
