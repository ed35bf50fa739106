"""Spark (a local master with two threads) over the files of the Delta tables below the working directory. (Its Delta
reader is a Java library that is not in the package.)"""

import os

import pyspark
from delta import files, tables
from pyspark.sql import SparkSession
from wire import serve

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.log.level", "ERROR")
    .getOrCreate()
)
for name in tables():
    base = os.path.abspath(name)
    frame = spark.read.option("mergeSchema", "true").option("basePath", base).parquet(*files(name))
    frame.createOrReplaceTempView(f"`{name}`")


def answer(sql):
    frame = spark.sql(sql)
    return frame.columns, [list(row) for row in frame.collect()]


serve(pyspark.__version__, answer)
