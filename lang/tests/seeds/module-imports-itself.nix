(import <cairn/lib>).evalModules { modules = [ (let m = { imports = [ m m ]; }; in m) ]; }
