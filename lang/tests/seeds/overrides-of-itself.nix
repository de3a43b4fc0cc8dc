(rec { __overrides = __overrides; a = 1; }).a
