// A straight wire, 400 nm x 100 nm, with a round notch in its upper side. Lengths in nanometres.
// gmsh -2 notched_wire.geo -o notched_wire.msh; then in a configuration: kind = "mesh", unit = "1 nm".
length = 400;
width = 100;
notch = 20;
size = 8;

Point(1) = {0, 0, 0, size};
Point(2) = {length, 0, 0, size};
Point(3) = {length, width, 0, size};
Point(4) = {length/2 + notch, width, 0, size/2};
Point(5) = {length/2, width, 0, size};
Point(6) = {length/2, width - notch, 0, size/2};
Point(7) = {length/2 - notch, width, 0, size/2};
Point(8) = {0, width, 0, size};

Line(1) = {1, 2};
Line(2) = {2, 3};
Line(3) = {3, 4};
Circle(4) = {4, 5, 6};
Circle(5) = {6, 5, 7};
Line(6) = {7, 8};
Line(7) = {8, 1};
Curve Loop(1) = {1:7};
Plane Surface(1) = {1};

Physical Curve("start") = {7};
Physical Curve("end") = {2};
Physical Curve("notch") = {4, 5};
Physical Surface("wire") = {1};
