#pragma once
int example_connect(void);
