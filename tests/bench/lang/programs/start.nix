# Starting, and one sum: what every run pays before it does anything.
1 + 1
