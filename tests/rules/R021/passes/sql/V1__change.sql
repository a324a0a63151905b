-- The password is set by whoever makes the database.
CREATE ROLE reports LOGIN;
