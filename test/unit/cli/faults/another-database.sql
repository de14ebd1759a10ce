-- Nothing outside the database is touched.
ATTACH DATABASE '/tmp/other.sqlite' AS other;
