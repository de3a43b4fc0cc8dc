{ from = "import"; here = ./text; }.from
