"""Pictures: functions that take axes and data, and return the artists they made."""
