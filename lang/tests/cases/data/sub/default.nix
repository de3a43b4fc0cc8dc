"default of sub"
