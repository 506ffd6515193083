// A straight wire, 240 nm x 80 nm, of two grains that meet in its middle. Lengths in nanometres.
// gmsh -2 bicrystal_wire.geo -o bicrystal_wire.msh; then in a configuration: kind = "mesh", unit = "1 nm".
length = 240;
width = 80;
size = 3;

Point(1) = {0, 0, 0, size};
Point(2) = {length/2, 0, 0, size};
Point(3) = {length, 0, 0, size};
Point(4) = {length, width, 0, size};
Point(5) = {length/2, width, 0, size};
Point(6) = {0, width, 0, size};

Line(1) = {1, 2};
Line(2) = {2, 3};
Line(3) = {3, 4};
Line(4) = {4, 5};
Line(5) = {5, 6};
Line(6) = {6, 1};
Line(7) = {2, 5};
Curve Loop(1) = {1, 7, 5, 6};
Curve Loop(2) = {2, 3, 4, -7};
Plane Surface(1) = {1};
Plane Surface(2) = {2};

Physical Curve("start") = {6};
Physical Curve("end") = {3};
Physical Curve("surface") = {1, 2, 3, 4, 5, 6};
Physical Surface("left") = {1};
Physical Surface("right") = {2};
