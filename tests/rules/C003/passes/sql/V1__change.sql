CREATE SCHEMA ${tenant};
