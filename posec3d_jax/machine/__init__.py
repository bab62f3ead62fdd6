"""The machine: host settings, joining other processes, the device mesh."""
