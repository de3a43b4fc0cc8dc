(import <cairn/lib>).evalModules { modules = [ (let x = [ x ]; in x) ]; }
