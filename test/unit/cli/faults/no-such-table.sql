INSERT INTO policy (id) VALUES ('x; y');
