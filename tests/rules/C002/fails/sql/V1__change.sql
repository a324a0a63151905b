CREATE TABLE orders (id int);
﻿CREATE TABLE customers (id int);
